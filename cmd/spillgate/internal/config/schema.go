package config

import _ "embed" // for the schema

//go:embed spillgate.schema.json
var schema string

// Schema returns the JSON Schema of the configuration file.
func Schema() []byte { return []byte(schema) }
