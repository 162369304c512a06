"""Developing on this machine: functions and front end behind one port, templates."""
