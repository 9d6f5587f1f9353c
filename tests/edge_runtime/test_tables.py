from edge_runtime.tables import format_csv


def test_cells_are_quoted_where_they_must_be_and_none_is_empty() -> None:
    assert format_csv(["a", "b"], [["x, y", None], ["ö", 0.5]]) == 'a,b\n"x, y",\nö,0.5\n'
