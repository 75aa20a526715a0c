"""The drawing primitives, and the pictures of the report."""
