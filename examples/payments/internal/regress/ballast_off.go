//go:build !ballast

package regress

const ballastBytes = 0
