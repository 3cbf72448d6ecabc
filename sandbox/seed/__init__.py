"""The account every sandbox starts with."""
