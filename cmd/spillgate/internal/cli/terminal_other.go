//go:build !linux && !darwin && !windows

package cli

func terminalHandle(uintptr) bool { return false }

func terminalWidth(uintptr) int { return 0 }
