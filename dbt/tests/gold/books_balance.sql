-- Rows of the lake may still be on their way; what silver took is in gold.
select *
from {{ ref('books') }}
where layer in ('silver', 'gold') and difference is distinct from 0
