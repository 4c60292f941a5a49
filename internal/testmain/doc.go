// Package testmain is what the packages whose tests wait for servers have as their
// TestMain.
package testmain
