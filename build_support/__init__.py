"""What building the package needs beyond setuptools: the HTML report's script and style."""
