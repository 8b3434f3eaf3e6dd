//go:build ballast

package regress

const ballastBytes = 4 << 20
