"""Templates of HTML pages."""


def templates_of(package):
    """Make the environment of the templates of a package, which escapes text."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
