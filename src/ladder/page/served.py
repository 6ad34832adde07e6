"""The program of a model in MLflow, which keeps a copy and runs it: pictures → labels.

It imports what MLflow keeps beside it, and nothing of this package: see `page.serving`.
"""

import base64
import binascii
from contextlib import suppress
from threading import Lock
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from ladder import errors
from ladder.networks import deployed


class Pictures(PythonModel):  # type: ignore[misc]  # MLflow's class is untyped here
    """Names the classes of encoded pictures."""

    def load_context(self, context: Any) -> None:
        self.model = deployed.load(context.artifacts["model"])
        self.lock = Lock()  # a server asks from several threads; all cores work on one batch

    def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:
        """Returns a row for each row of the column `picture`, in its order.

        A picture is the bytes of a JPEG, PNG …, or base64 of them. The columns are label,
        confidence and one for each class: see `deployed.class_columns`.

        Raises:
            MlflowException: a picture cannot be read; it is named by its place.
        """
        contents = [_encoded(picture, row) for row, picture in enumerate(model_input["picture"], 1)]
        try:
            with self.lock:
                probabilities = self.model.predict_bytes(contents)
        except errors.InputError as error:  # of MLflow's kind, a client is told what it says
            raise MlflowException.invalid_parameter_value(str(error)) from error
        names = self.model.class_names
        columns = {
            "label": [names[label] for label in probabilities.argmax(axis=1)],
            "confidence": probabilities.max(axis=1),
        }
        by_class = zip(deployed.class_columns(names), probabilities.T, strict=True)
        return pd.DataFrame(columns | dict(by_class))


def _encoded(picture: object, row: int) -> bytes:
    """Returns the bytes of a picture's file.

    MLflow decodes base64 itself in requests of `dataframe_records` and `dataframe_split` alone.
    No file of a picture is base64, which is ASCII.
    """
    content = picture.encode() if isinstance(picture, str) else picture
    if not isinstance(content, bytes):
        raise MlflowException.invalid_parameter_value(
            f"picture {row}: expected bytes or base64. Received: {type(picture).__name__}."
        )
    if content.isascii():
        with suppress(binascii.Error):
            return base64.b64decode(b"".join(content.split()), validate=True)
    return content


set_model(Pictures())
