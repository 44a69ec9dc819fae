"""What can be asked of jobs, and the ports through which the world is reached."""
