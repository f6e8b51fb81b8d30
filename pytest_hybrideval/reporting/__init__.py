"""What people read: run directories, the decision matrix, terminal tables."""
