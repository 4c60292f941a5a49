"""What users of Kazoo do, tried on the ZooKeeper whose address is the argument.

The package's doc.go says what is written to the standard output.
"""

import bench
import operations  # noqa: F401
import recipes  # noqa: F401

bench.run()
