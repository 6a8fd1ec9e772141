"""Maps of features: each voxel's value is measured on the window around it."""
