"""One family of errors. Each message says what is wrong, which thing is meant, and what to do."""


class RdfcError(Exception):
    """Something the user can mend; the command line prints the sentence and exits with 2."""


class StudyError(RdfcError):
    """A study, an option or a command does not fit."""


class DataError(RdfcError):
    """A file, a case or a data set does not fit."""


class PluginError(RdfcError):
    """A plugin is missing, broken, unavailable or named twice."""


class ShapeError(RdfcError):
    """Arrays or tensors do not fit together: the message states expected and actual shapes."""
