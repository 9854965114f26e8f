"""Small widgets: a constructor, a few setters, one signal out; none of them knows the desk."""
