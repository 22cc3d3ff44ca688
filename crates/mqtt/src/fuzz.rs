//! Bodies of the fuzz targets, run by the property tests too.
