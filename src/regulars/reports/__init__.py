"""Reports: pictures and pages from results.

charts      one function, one picture
samples     some guests of a plan, and why each gets what they get
campaign    the report of a planned campaign
quality     the page on dishes and service, with its pictures (`quality_charts`) and words (`quality_words`)
learning    the picture of campaigns that learn from each other
told        the page of campaigns lived one after another
page        HTML that loads nothing from anywhere
"""

from regulars.reports.campaign import campaign_report
from regulars.reports.quality import quality_page, write_quality_report
from regulars.reports.samples import Sample, samples
from regulars.reports.writing import crowd, write_report

__all__ = ["Sample", "campaign_report", "crowd", "quality_page", "samples", "write_quality_report", "write_report"]
