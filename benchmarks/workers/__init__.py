"""What runs in a process of its own: a module a measurement, started by the parts beside."""
