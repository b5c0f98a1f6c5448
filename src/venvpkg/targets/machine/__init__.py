"""Machines that are reached by ssh, such as those of Vagrant: run programs there, copy files there and back."""
