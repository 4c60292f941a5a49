//go:build !linux

package ensemble

func orphanMode() bool { return false }
