// Package rivals has workers for the fault laboratory that use other libraries: Kazoo, Curator and go-zookeeper's Lock, so that the
// same workloads run under the same schedules and are judged by the same checkers.
//
// Each library is used as its documentation says: what is held is believed in for as long as the library gives no
// sign to the contrary, and no longer. None of them has tokens.
package rivals
