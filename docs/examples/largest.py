import gocost

report = gocost.size("payments")
print(report.fact("binary.size").value)

packages = report.packages  # an Arrow table
print(packages.column_names)
for row in packages.slice(0, 3).to_pylist():
    print(row["package"], row["bytes"])
