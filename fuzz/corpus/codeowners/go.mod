// about it
module "example.com/shop/v2" // Deprecated: by another

go 1.21

require example.com/one v1.0.0
require (
	example.com/two v0.0.0-20240101000000-abcdefabcdef // indirect
	"example.com/three" v1.2.3+incompatible
)

exclude example.com/one v1.1.0

replace (
	example.com/one => ../one
)
