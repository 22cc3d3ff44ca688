//! AWS IoT and IAM policy documents: parse, compile, bind variables, decide.
