#!/bin/sh
# Compose the scenes that the bundled detector learns from, out of clothing-dataset (CC0).
#
# sh bench/compose_clothing.sh "$EDGE_GARMENT_DATA/clothing/labels.csv" SCENES OUTPUT [OPTION ...]
#
# The ten classes are those of the street photos (CCP): no photo shows a bag or sunglasses. A baby's body is of none
# of them. A hoodie counts as a jacket, as in the boxes of CCP. Options such as --seed or
# --backgrounds are passed on.
set -eu
data=$1 scenes=$2 output=$3
shift 3
exec edge-train compose "$data" --scenes "$scenes" -o "$output" --size 320x480 \
    --rename T-Shirt=shirt --rename Longsleeve=shirt --rename Shirt=shirt --rename Polo=shirt --rename Blouse=shirt \
    --rename Top=shirt --rename Undershirt=shirt \
    --rename Hoodie=jacket --rename Blazer=jacket --rename Outwear=jacket \
    --rename Dress=dress --rename Hat=hat --rename Pants=pants --rename Shoes=shoe --rename Shorts=shorts \
    --rename Skirt=skirt --rename Body= --rename Other= --rename "Not sure=" "$@"
