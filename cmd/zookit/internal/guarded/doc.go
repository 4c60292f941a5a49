// Package guarded is what the commands have in common that run another one under a grant, or while something is so.
package guarded
