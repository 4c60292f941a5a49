// Package queues holds the tests that zookit's queues share a path with those of Kazoo and Curator, in
// processes of their own, on a real server: each puts and takes what the others have put, in the order that the
// layout promises, leases of one keep out the others, consumers are killed, and what cannot be
// shared is refused.
//
// A program in testdata reads orders from its standard input, a line each, and answers each with one line on its
// standard output: "ok" and what there is to say, or "failed" and why. Words are separated by
// blanks, so values have none. Kazoo's:
//
//	put PATH PRIORITY VALUE           Queue.put
//	get PATH                          Queue.get: the value, or -
//	lput PATH PRIORITY VALUE...       LockingQueue.put, put_all for several
//	lget PATH SECONDS                 LockingQueue.get: the value, or -
//	lconsume PATH, lrelease PATH      of what was got last: True or False
//
// Curator's, where KIND is plain, priority, delay or id, LOCK a lock path or -, and ARG the priority, the
// time in milliseconds or the id:
//
//	offer PATH VALUE                  SimpleDistributedQueue.offer
//	poll PATH MILLISECONDS            SimpleDistributedQueue.poll: the value, or -
//	put KIND PATH LOCK ARG VALUE...   put, putMulti for several
//	consume KIND PATH LOCK            begin to consume
//	refuse VALUE                      let the consumers fail once at that value, so that Curator requeues it
//	consumed N                        wait for N values in all, and say them
//	stop                              stop consuming
package queues
