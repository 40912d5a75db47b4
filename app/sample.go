package app

import _ "embed" // the sample

// Sample is a documented configuration, complete and valid but for the files
// it names.
//
//go:embed nirapod.yaml
var Sample []byte
