package child

import "syscall"

// dieWithParent has the kernel kill the command when the guard dies.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
