package zktest

// admission is what becomes of a door's new connections.
type admission int

const (
	served admission = iota
	refused
	hung
)

// Refuse makes the door reset every new connection, as [Server.Refuse] does.
func (d *Door) Refuse() { d.lockAndAdmit(refused) }

// Hang makes the door take every new connection and leave it at that, as [Server.Hang] does.
func (d *Door) Hang() { d.lockAndAdmit(hung) }

// Accept ends Refuse and Hang. Connections that hang are served from then on.
func (d *Door) Accept() { d.lockAndAdmit(served) }

func (d *Door) lockAndAdmit(a admission) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.admit(a)
}

// admit says what becomes of new connections from now on. The mutex is held.
func (d *Door) admit(a admission) {
	d.admits = a
	if a != served {
		return
	}
	waiting := d.hung
	d.hung = nil
	for _, n := range waiting {
		d.serve(n)
	}
}

// dropHung closes the connections that hang. The mutex is held.
func (d *Door) dropHung() {
	for _, n := range d.hung {
		_ = n.nc.Close()
	}
	d.hung = nil
}
