//go:build tools

// Package vegeta pins the load generator that gocost builds once into the
// user's cache: its version and the checksums of all that it is made of.
package vegeta

import _ "github.com/tsenart/vegeta/v12"
