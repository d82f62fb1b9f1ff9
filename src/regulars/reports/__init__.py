"""Reports: pages from results.

campaign    the report of a planned campaign
town        the page of campaigns lived one after another
quality     the page on dishes and service
writing     the report of a kept plan, as a file
page        HTML that loads nothing from anywhere
"""

from regulars.reports.campaign import campaign_report
from regulars.reports.quality import quality_page, write_quality_report
from regulars.reports.town import Episode, town_page
from regulars.reports.writing import write_report

__all__ = ["Episode", "campaign_report", "quality_page", "town_page", "write_quality_report", "write_report"]
