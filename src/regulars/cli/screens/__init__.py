"""Screens: what the command line shows of results: plain values in, what a terminal can draw out.

layout      paragraphs and sheets, at any width
data        loads, rejected rows, the doctor
guests      all guests, segments, one guest, dishes
campaigns   plans
results     what campaigns brought
rehearsal   a campaign in the simulated town
quality     reviews, dishes and service
demo        the demos from end to end
"""
