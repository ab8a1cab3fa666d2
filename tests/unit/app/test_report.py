"""`samtale report`: figures as people and programs read them."""

from admin.csv_rows import as_csv
from app.tables import table

ROW = {
    "survey": "csat",
    "scale": "faces",
    "asked": 4,
    "response_rate": 0.5,
    "csat": 0.5,
    "mean": None,
    "scores": {"0": 1, "2": 1},
}
NOBODY = {**ROW, "survey": "empty", "asked": 0, "response_rate": None, "csat": None, "scores": {}}


def test_the_table_shows_percent_and_a_dash_where_there_is_nothing() -> None:
    """People read shares in percent; what nobody could do is not zero percent."""
    shown = table([ROW, NOBODY]).splitlines()
    assert shown[1].split() == ["csat", "faces", "4", "50%", "50%", "–", "0:1", "2:1"]
    assert shown[2].split() == ["empty", "faces", "0", "–", "–", "–", "–"]


def test_an_empty_report_says_so() -> None:
    """Not a blank page."""
    assert table([]) == "nothing yet"


def test_csv_holds_the_values_as_they_are() -> None:
    """Shares from nought to one, nothing where nobody could, and a heading."""
    assert as_csv([ROW, NOBODY]).splitlines() == [
        "survey,scale,asked,response_rate,csat,mean,scores",
        "csat,faces,4,0.5,0.5,,0:1 2:1",
        "empty,faces,0,,,,",
    ]


def test_csv_runs_nothing_in_a_spreadsheet() -> None:
    """What somebody called themselves is a text, and no formula."""
    assert as_csv([{"name": "=1+1", "count": -1}]) == "name,count\n'=1+1,-1"


def test_an_empty_report_is_an_empty_file() -> None:
    """No heading is made up."""
    assert as_csv([]) == ""
