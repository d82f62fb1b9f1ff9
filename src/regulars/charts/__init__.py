"""Charts: plain values in, one Altair picture out; results, reports and pages find them here.

theme    the size, colours and heading that all of ours have
"""
