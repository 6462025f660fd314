module ulvs.test/moby-ipvs

go 1.19

require github.com/moby/ipvs v1.0.2
