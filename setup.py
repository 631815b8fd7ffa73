"""Gives the top-level folders safe names when installed; everything else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=find_packages(include=["segdesk", "segdesk.*"])
    + ["segdesk_plugins", "segdesk_resources"]
    + [f"segdesk_plugins.{name}" for name in find_packages("plugins")],
    package_dir={"segdesk_plugins": "plugins", "segdesk_resources": "resources"},
)
