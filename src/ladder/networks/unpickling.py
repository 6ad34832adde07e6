"""Reads pickles without running foreign code: names that are not admitted are refused."""

import pickle
from collections.abc import Mapping
from typing import Any, ClassVar

from ladder import errors


class StrictUnpickler(pickle.Unpickler):
    """Reads a pickle in which subclasses say what every name stands for."""

    expected: ClassVar[str]  # what the pickle holds, in an error
    admitted: ClassVar[Mapping[tuple[str, str], Any]]  # by module and name

    def find_class(self, module: str, name: str) -> Any:
        """Returns what stands for a name.

        Raises:
            InputError: the pickle names anything else.
        """
        if (module, name) not in self.admitted:
            raise errors.InputError(
                "weights file",
                expected=self.expected,
                received=f"{module}.{name}",
                advice="Do not use this file.",
            )
        return self.admitted[module, name]
