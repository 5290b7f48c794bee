"""JAIR 2011 reproduced: what the paper printed, the study that measures it again, its tables and figures."""
