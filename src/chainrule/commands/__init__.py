"""The commands of the command line, one module each; `chainrule.cli` puts them together."""
