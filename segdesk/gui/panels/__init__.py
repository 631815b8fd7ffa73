"""The docks: each panel knows the editor and nothing else of the window."""
