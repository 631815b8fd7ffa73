"""Checkpoints on this machine and on the Hub: list, find, fetch, pack, import, check, remove."""
