"""The readers that core brings along: pictures through Pillow, volumes through SimpleITK."""
