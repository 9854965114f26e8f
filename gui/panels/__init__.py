"""What the operator looks at, a file a panel."""
