"""The window: widgets, tools, panels and lanes. The only place that knows Qt."""
