"""Machines that are reached by ssh, such as those of Vagrant: programs run there, files are copied there and back."""
