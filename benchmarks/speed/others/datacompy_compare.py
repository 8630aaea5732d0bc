"""Two traces compared with datacompy, and the differences.

``python -m benchmarks.speed.others.datacompy_compare ROWS REPEATS``
"""

import datacompy

from benchmarks.speed.others.pandas_merge import main


def differences(a, b):
    """The rows that both have, with the differences; `datacompy` itself tells which columns differ."""
    compared = datacompy.Compare(a, b, join_columns=["arm", "seed", "step"], df1_name="a", df2_name="b")
    both = compared.intersect_rows
    both["lr_absolute"] = (both["lr_df1"] - both["lr_df2"]).abs()
    both["loss_absolute"] = (both["loss_df1"] - both["loss_df2"]).abs()
    return both


if __name__ == "__main__":
    main(differences)
