"""The sign-in of one person on their own machine."""
