"""Charts: plain values in, one Altair picture out; results, reports and pages find them here.

theme            the size, colours and heading that all of ours have
guests           all guests: stages of life, where the value is, how often they come
plans            what past offers changed, other budgets, who gets what
results          what campaigns brought, one and one after another
quality          score card, control chart, evenness of a dish, and what to mend first
learning_curves  policies, campaign after campaign
"""
