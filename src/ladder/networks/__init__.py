"""Networks: built, cut, frozen, trained. `runtime` alone imports TensorFlow."""
