"""Stands in the way of the SDK of that name, as if it were not installed."""

raise ImportError("No module named 'dashscope'")
